variable "agents" {
  type = map(object({
    port        = number
    cpu         = optional(number, 256)
    secrets     = optional(list(string), [])
    description = optional(string)
    scaling     = optional(object({ min = optional(number, 1), max = optional(number, 3) }), {})
  }))
  default = {
    hello     = { port = "9002", extra = "dropped" }
    validator = { port = 9001, cpu = null, scaling = { max = 5 } }
  }
}
output "agents" { value = var.agents }
