output "sum" { value = 1 + 2 * 3 - 4 / 8 }
output "grouped" { value = (1 + 2) * (3 - 4) }
output "remainders" { value = [7 % 3, -7 % 3, 7 % -3, 5.5 % 2] }
output "negated" { value = [-1, -2, -(3)] }
output "from_text" { value = "6" * "7" }
output "fractions" { value = [1 / 3, 0.1 + 0.2, 1.50, 1e3, 2.5e-3] }
output "large" { value = [9007199254740993, 18446744073709551615 + 1] }
