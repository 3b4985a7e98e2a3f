module "registry" { source = "terraform-aws-modules/vpc/aws" }
module "missing" { source = "./nowhere" }
module "unset" {}
