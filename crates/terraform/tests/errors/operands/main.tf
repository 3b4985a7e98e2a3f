output "a" { value = 1 + "x" }
output "b" { value = !5 }
output "c" { value = 1 / 0 }
output "d" { value = null + 1 }
output "e" { value = true && "maybe" }
output "f" { value = [] < 1 }
