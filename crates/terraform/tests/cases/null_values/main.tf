output "in_list" { value = [null, 1] }
output "in_object" { value = { a = null, b = 1 } }
output "coalesce" { value = coalesce(null, "a") }
output "alone" { value = null }
output "compact" { value = [for x in [1, null, 2] : x if x != null] }
