output "sorted" { value = [for x in toset(["c", "a", "b", "a"]) : x] }
output "key_is_value" { value = { for k, v in toset(["a", "b"]) : k => v } }
output "numbers" { value = [for x in toset([10, 9, 1]) : x] }
