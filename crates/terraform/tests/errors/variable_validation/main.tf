variable "port" {
  default = 80
  validation {
    condition     = var.port > 1024
    error_message = "The port ${var.port} is reserved."
  }
}
