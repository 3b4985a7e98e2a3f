output "a" { value = "x${null}" }
output "b" { value = "x${[1]}" }
output "c" { value = "x%{ if null }y%{ endif }" }
output "d" { value = "%{ for x in 5 }y%{ endfor }" }
