locals {
  in_the_broken_file = 1
