# the later file wins
first = "from b"
third = {
  from = "b"
}
