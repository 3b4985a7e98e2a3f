first  = "from a"
second = 2
third  = { from = "a" }
