variable "a" { default = 1 }
locals { b = 2 }
