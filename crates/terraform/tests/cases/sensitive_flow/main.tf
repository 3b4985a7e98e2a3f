
locals {
  secret = sensitive("x")
  mixed  = { a = sensitive("s"), b = "plain" }
  list   = [sensitive("l"), "m"]
}
resource "terraform_data" "a" {
  input = {
    in_template = "pre-${local.secret}"
    looped      = [for k, v in local.mixed : "${k}=${v}"]
    plain       = local.mixed.b
    element     = local.list[1]
    whole       = local.mixed
    conditional = local.secret == "x" ? "yes" : "no"
    keyed       = { (local.secret) = 1 }
    from_set    = toset(local.list)
    splat       = local.list[*]
    object_loop = { for k, v in local.mixed : k => v }
  }
}
output "a" { value = issensitive(local.mixed) }
output "b" { value = issensitive(local.mixed.a) }
