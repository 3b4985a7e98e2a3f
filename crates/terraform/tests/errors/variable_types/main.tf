variable "port" { type = number }
variable "agents" { type = map(object({ port = number })) }
variable "bad_default" {
  type    = list(string)
  default = "x"
}
variable "bad_type" { type = strin }
variable "quoted" { type = "string" }
