output "plain" {
  value = <<EOT
  kept indentation "quotes" \n
$${literal} ${1 + 1}
EOT
}
output "empty" {
  value = <<EOT
EOT
}
output "in_a_list" {
  value = [
    <<A
one
A
    , "two",
  ]
}
