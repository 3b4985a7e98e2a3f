output "deduplicated" { value = toset(["b", "a", "b"]) }
output "of_numbers" { value = toset([3, 1, 2]) }
output "mixed_becomes_text" { value = toset([1, "a", true]) }
output "operations" { value = setunion(["a"], ["b", "a"]) }
output "length" { value = length(toset(["a", "a"])) }
output "contains" { value = contains(toset(["a"]), "a") }
