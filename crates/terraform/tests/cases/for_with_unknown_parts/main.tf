
resource "terraform_data" "a" {
  for_each = toset(["x", "y"])
  input    = each.key
}
locals { ids = { for key, one in terraform_data.a : key => one.id } }
resource "terraform_data" "b" {
  input = {
    ids      = local.ids
    list     = values(local.ids)
    sorted   = [for key in sort(keys(local.ids)) : local.ids[key]]
    joined   = join(",", values(local.ids))
    encoded  = jsonencode({ x = local.ids["x"], y = 1 })
    merged   = merge(local.ids, { z = "known" })
    flat     = flatten([["k"], values(local.ids)])
    zipped   = zipmap(["k"], [local.ids["x"]])
    lookup   = lookup(local.ids, "x", "none")
    missing  = lookup(local.ids, "q", "none")
    contains = contains(keys(local.ids), "x")
    splat    = values(terraform_data.a)[*].id
    chosen   = true ? local.ids["x"] : "n"
    object   = { for k, v in local.ids : k => "${v}!" if k == "x" }
    coalesce = coalesce(null, "k")
    element  = element(values(local.ids), 5)
    length   = length(values(local.ids))
    one      = one([local.ids["x"]])
    tolist   = tolist([local.ids["x"], "b"])
    tomap    = tomap({ a = local.ids["x"], b = "c" })
  }
}
