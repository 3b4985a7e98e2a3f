output "a" { value = null ? 1 : 2 }
output "b" { value = "perhaps" ? 1 : 2 }
output "c" { value = true ? "a" : ["b"] }
