output "plain" { value = [for x in [1, 2, 3] : x * x] }
output "with_index" { value = [for i, x in ["a", "b"] : "${i}${x}"] }
output "filtered" { value = [for x in [1, 2, 3, 4] : x if x % 2 == 0] }
output "over_map" { value = [for k, v in { b = 2, a = 1 } : "${k}=${v}"] }
output "values_of_map" { value = [for v in { b = 2, a = 1 } : v] }
output "nested" { value = [for x in [1, 2] : [for y in ["a", "b"] : "${x}${y}"]] }
output "shadowed" { value = [for x in [1, 2] : [for x in [3] : x]] }
