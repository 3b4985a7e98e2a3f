
variable "agents" {
  type = map(object({
    ports = optional(set(number), [80])
    env   = optional(map(string), {})
    deep  = optional(object({ a = optional(list(object({ n = optional(number, 7) })), [{}]) }), {})
  }))
  default = {
    x = {}
    y = { ports = ["2", 1, 1], env = { A = 1, B = true } }
    z = { deep = { a = [{ n = null }, { n = "3" }] } }
  }
}
variable "any_map" {
  type    = map(any)
  default = { a = 1, b = "x" }
}
variable "any_list_of_objects" {
  type    = list(any)
  default = [{ a = 1 }, { a = "b" }]
}
variable "tuple_any" {
  type    = any
  default = [1, ["a"], { b = null }]
}
output "agents" { value = var.agents }
output "maps" { value = [var.any_map, var.any_list_of_objects, var.tuple_any] }
