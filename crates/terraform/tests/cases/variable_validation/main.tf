variable "port" {
  type    = number
  default = 9001
  validation {
    condition     = var.port > 1024 && var.port < 65536
    error_message = "The port is out of range."
  }
}
variable "names" {
  type    = list(string)
  default = ["a", "b"]
  validation {
    condition     = alltrue([for name in var.names : can(regex("^[a-z]+$", name))])
    error_message = "Names are lower case."
  }
  validation {
    condition     = length(var.names) < var.port
    error_message = "Too many."
  }
}
output "port" { value = var.port }
