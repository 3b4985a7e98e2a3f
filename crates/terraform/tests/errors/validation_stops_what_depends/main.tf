variable "agents" {
  default = { hello = { calls = "nobody" } }
  validation {
    condition     = alltrue([for agent in var.agents : contains(keys(var.agents), agent.calls)])
    error_message = "An agent calls one that does not exist."
  }
}
variable "other" {
  default = "x"
  validation {
    condition     = var.other != "y" && length(var.agents) > 0
    error_message = "Never."
  }
}
output "called" { value = [for agent in var.agents : var.agents[agent.calls]] }
output "other" { value = upper(var.other, var.other) }
