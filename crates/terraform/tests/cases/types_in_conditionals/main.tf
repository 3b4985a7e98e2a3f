
variable "on" { default = true }
output "empty_list" { value = var.on ? ["a", 1] : [] }
output "empty_map" { value = var.on ? { a = 1 } : {} }
output "null_list" { value = var.on ? null : ["a"] }
output "nested" { value = var.on ? [{ a = 1 }] : [{ a = "x" }] }
output "nested_diff" { value = var.on ? [{ a = 1 }, { a = 2 }] : [{ a = "x" }] }
output "lists_of_lists" { value = var.on ? [[1], [2, 3]] : [["a"]] }
output "bool_number_text" { value = [var.on ? true : "x", var.on ? 1.5 : "x"] }
output "set_or_list" { value = var.on ? toset(["b", "a"]) : toset([]) }
