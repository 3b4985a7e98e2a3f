output "a" { value = templatefile("t.tftpl", { name = "x" }) }
output "b" { value = file("missing.txt") }
