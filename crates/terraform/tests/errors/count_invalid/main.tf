resource "terraform_data" "source" {}
resource "terraform_data" "unknown" { count = length(terraform_data.source.id) }
resource "terraform_data" "negative" { count = -1 }
resource "terraform_data" "null" { count = null }
resource "terraform_data" "text" { count = "three" }
resource "terraform_data" "fraction" { count = 1.5 }
