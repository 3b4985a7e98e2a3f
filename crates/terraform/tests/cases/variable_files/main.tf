variable "first" { type = string }
variable "second" {
  type    = number
  default = 1
}
variable "third" { type = map(string) }
variable "fourth" { type = list(number) }
output "all" { value = [var.first, var.second, var.third, var.fourth] }
