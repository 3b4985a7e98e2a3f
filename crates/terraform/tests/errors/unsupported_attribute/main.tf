locals { agent = { port = 9001 } }
output "a" { value = local.agent.prot }
output "b" { value = "text".length }
output "c" { value = [{ a = 1 }].a }
output "d" { value = null.a }
