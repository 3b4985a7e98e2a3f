output "a" { value = uper("x") }
output "b" { value = upper() }
output "c" { value = upper("x", "y") }
output "d" { value = upper(["x"]) }
output "e" { value = tonumber("x") }
output "f" { value = max("a"...) }
output "g" { value = try([][0], null.x) }
