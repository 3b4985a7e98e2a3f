output "a" { value = local.in_the_broken_file }
output "b" { value = upper(1, 2) }
