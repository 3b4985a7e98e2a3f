variable "name" { type = string }
variable "greeting" {
  type    = string
  default = "hello"
}
