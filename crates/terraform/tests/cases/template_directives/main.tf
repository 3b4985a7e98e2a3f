locals {
  agents = { hello = 9002, validator = 9001 }
}
output "if" { value = "a%{if true}b%{else}c%{endif}d%{if false}e%{endif}" }
output "escapes_inside" { value = "%{if true}\t\"x\"\n%{endif}" }
output "for" { value = "%{for name, port in local.agents}${name}=${port};%{endfor}" }
output "for_list" { value = "%{for index, port in [80, 443]}${index}:${port} %{endfor}" }
output "nested" { value = "%{for x in [1, 2, 3]}%{if x % 2 == 1}${x} %{endif}%{endfor}" }
