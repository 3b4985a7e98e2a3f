port   = "many"
agents = { hello = { prot = 1 } }
