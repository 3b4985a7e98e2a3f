output "a" {
  value = {
    x = local.one
    y = [local.two, upper(local.three)]
    z = "${local.four} ${1 + "x"}"
  }
}
