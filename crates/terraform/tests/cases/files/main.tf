locals {
  agents = { hello = 9002, validator = 9001 }
}
output "file" { value = file("${path.module}/files/plain.txt") }
output "exists" { value = [fileexists("files/plain.txt"), fileexists("files/none.txt")] }
output "template" { value = templatefile("${path.module}/files/agents.tftpl", { agents = local.agents, title = "Agents" }) }
output "set" { value = fileset(path.module, "files/*.txt") }
