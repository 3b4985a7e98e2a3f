output "call" {
  value = join("-", [
    "a",
    "b",
  ])
}
output "parentheses" {
  value = (
    true
    ? "yes"
    : "no"
  )
}
output "operators" {
  value = (1 +
    2
  * 3)
}
output "object" {
  value = {
    list = [for x in [
      1, 2
    ] : x]
  }
}
