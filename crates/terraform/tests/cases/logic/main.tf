output "precedence" { value = true || false && false }
output "negation" { value = !true || !(false) }
output "from_text" { value = "true" && !"false" }
output "comparison_binds_stronger" { value = 1 < 2 && 2 < 3 == true }
