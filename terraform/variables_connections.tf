# What the agents are connected to beside AWS: a chain, a language model, a collector of traces

variable "payments" {
  description = <<-EOT
    The chain on which the agents pay each other and are paid; null for none. Each agent then needs a PRIVATE_KEY in its secret, the key of its account.
    rpc_url: a node of the chain. Where its address holds a key, leave it out: it is then CHAIN_RPC_URL in each agent's secret.
    chain_id: the chain's number, which the node must give too.
    token_address: the token that is paid with.
    registries: of identity, reputation and validation, by address; null for none.
    facilitator_url: who verifies and settles payments; null for each agent itself.
    allowed_payees: whom an agent may pay, by address.
    spend_per_task, spend_per_day: the most that an agent pays for one task and in a day, in the token's base units.
  EOT
  type = object({
    chain_id      = number
    token_address = string
    rpc_url       = optional(string)
    registries = optional(object({
      identity   = string
      reputation = string
      validation = string
    }))
    facilitator_url = optional(string)
    allowed_payees  = optional(set(string), [])
    spend_per_task  = optional(number, 0)
    spend_per_day   = optional(number, 0)
  })
  default = null

  validation {
    condition     = var.payments == null ? true : var.payments.chain_id >= 1 && floor(var.payments.chain_id) == var.payments.chain_id
    error_message = "A chain's id is a whole number from 1 on."
  }

  validation {
    condition = var.payments == null ? true : alltrue([
      for address in concat([var.payments.token_address], try(values(var.payments.registries), []), tolist(var.payments.allowed_payees)) :
      can(regex("^0x[0-9a-fA-F]{40}$", address))
    ])
    error_message = "Give every address of payments as \"0x\" and 40 hexadecimal digits."
  }

  validation {
    condition = var.payments == null ? true : alltrue([
      for url in [var.payments.rpc_url, var.payments.facilitator_url] : url == null ? true : can(regex("^https://[^/@:?#]+(:443)?(/[^?#]*)?$", url))
    ])
    error_message = "rpc_url and facilitator_url begin with https:// and name no user and no port but 443: the security groups let nothing else out."
  }

  validation {
    condition     = var.payments == null ? true : alltrue([for amount in [var.payments.spend_per_task, var.payments.spend_per_day] : amount >= 0 && floor(amount) == amount]) && var.payments.spend_per_task <= var.payments.spend_per_day
    error_message = "spend_per_task and spend_per_day are whole base units, and a task may not spend more than a day."
  }

  validation {
    condition     = var.payments == null ? true : alltrue([for agent in var.agents : length(setintersection(keys(agent.environment), ["PRIVATE_KEY", "CHAIN_RPC_URL"])) == 0])
    error_message = "PRIVATE_KEY belongs into the agents' secrets, and CHAIN_RPC_URL there or into payments, never into their environment."
  }
}

variable "language_model" {
  description = <<-EOT
    The language model for the agents that use one; null for OpenAI's own. An agent whose secrets name OPENAI_API_KEY uses it, and every agent does where base_url is set.
    base_url: a server that speaks as OpenAI's does.
    model, embedding_model: the models to ask for.
    tokens_per_day: the most that an agent spends in a day.
  EOT
  type = object({
    base_url        = optional(string)
    model           = optional(string)
    embedding_model = optional(string)
    tokens_per_day  = optional(number)
  })
  default = null

  validation {
    condition     = try(var.language_model.base_url, null) == null ? true : can(regex("^https://[^/@:?#]+(:443)?(/[^?#]*)?$", var.language_model.base_url))
    error_message = "base_url begins with https:// and names no user and no port but 443: the security groups let nothing else out."
  }

  validation {
    condition     = try(var.language_model.tokens_per_day, null) == null ? true : var.language_model.tokens_per_day >= 0 && floor(var.language_model.tokens_per_day) == var.language_model.tokens_per_day
    error_message = "tokens_per_day is a whole number that is not negative."
  }
}

variable "otlp_endpoint" {
  description = "Where the agents send their traces, by OTLP over HTTP; null for X-Ray where enable_xray_tracing is set, and for nobody otherwise."
  type        = string
  default     = null

  validation {
    condition     = var.otlp_endpoint == null ? true : can(regex("^https://[^/@:?#]+(:443)?(/[^?#]*)?$", var.otlp_endpoint))
    error_message = "The endpoint begins with https:// and names no user and no port but 443: the security groups let nothing else out."
  }
}
