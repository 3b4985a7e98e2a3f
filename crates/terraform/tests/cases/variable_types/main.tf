variable "text" {
  type    = string
  default = 12
}
variable "number" {
  type    = number
  default = "42"
}
variable "list" {
  type    = list(string)
  default = [1, true, "x"]
}
variable "set" {
  type    = set(number)
  default = ["2", 1, 2]
}
variable "map" {
  type    = map(number)
  default = { a = "1" }
}
variable "tuple" {
  type    = tuple([string, number])
  default = [1, "2"]
}
variable "anything" {
  default = { a = [1, "x"] }
}
variable "list_of_any" {
  type    = list(any)
  default = [1, "x"]
}
output "all" { value = [var.text, var.number, var.list, var.set, var.map, var.tuple, var.anything, var.list_of_any] }
