module "outer" {
  source = "./outer"
  value  = "x"
}
output "deep" { value = module.outer.deep }
