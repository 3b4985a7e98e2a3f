# Operations

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs offers 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "enable_execute_command" {
  description = "Allow commands to be run inside running tasks (ECS Exec)."
  type        = bool
  default     = true
  nullable    = false
}

variable "restart_schedule" {
  description = "When the tasks of every agent are replaced by new ones, which read new secrets and run on the newest platform; null for never. An expression of EventBridge Scheduler, in UTC."
  type        = string
  default     = "cron(0 6 ? * SUN *)"

  validation {
    condition     = var.restart_schedule == null ? true : can(regex("^(cron|rate)\\(.+\\)$", var.restart_schedule))
    error_message = "Write the schedule as cron(...) or rate(...)."
  }
}

variable "enable_container_insights" {
  description = "Metrics of every task, service and task family. They are paid for one by one, and soon cost more than the tasks."
  type        = bool
  default     = false
  nullable    = false
}

variable "container_insights_mode" {
  description = "With enable_container_insights: enhanced, or enabled for the older and smaller set of metrics."
  type        = string
  default     = "enhanced"
  nullable    = false

  validation {
    condition     = contains(["enhanced", "enabled"], var.container_insights_mode)
    error_message = "Choose enhanced or enabled; to do without, set enable_container_insights = false."
  }
}

variable "enable_xray_tracing" {
  description = "Let the agents send traces to X-Ray, and say which requests are traced."
  type        = bool
  default     = true
  nullable    = false
}

variable "xray_sampling_rate" {
  description = "The share of the requests that is traced, beyond the first of every second."
  type        = number
  default     = 0.05
  nullable    = false

  validation {
    condition     = var.xray_sampling_rate >= 0 && var.xray_sampling_rate <= 1
    error_message = "The rate is between 0 and 1."
  }
}

variable "alarm_cpu_threshold" {
  description = "An agent whose CPU utilisation stays above so many percent raises an alarm."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.alarm_cpu_threshold > var.autoscaling_cpu_target && var.alarm_cpu_threshold < 100
    error_message = "The threshold lies between autoscaling_cpu_target and 100 percent: below the target, autoscaling would raise the alarm itself."
  }
}

variable "alarm_memory_threshold" {
  description = "An agent whose memory utilisation stays above so many percent raises an alarm."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.alarm_memory_threshold > var.autoscaling_memory_target && var.alarm_memory_threshold < 100
    error_message = "The threshold lies between autoscaling_memory_target and 100 percent: below the target, autoscaling would raise the alarm itself."
  }
}

variable "enable_alarm_topic" {
  description = "Publish every change of an alarm to a topic of SNS."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_emails" {
  description = "Who is written to: of alarms where enable_alarm_topic is set, and of monthly_budget_usd."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "Give e-mail addresses."
  }
}

variable "monthly_budget_usd" {
  description = "Write to alarm_emails before the account costs more than so many US dollars in a month; null for no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "A budget is above 0."
  }

  validation {
    condition     = var.monthly_budget_usd == null ? true : length(var.alarm_emails) > 0
    error_message = "A budget that nobody hears of is of no use: set alarm_emails."
  }
}

# What destroying leaves behind

variable "secret_recovery_window_days" {
  description = "Days that a deleted secret can be brought back, and that its name stays taken; 0 deletes it at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.secret_recovery_window_days == 0 || (var.secret_recovery_window_days >= 7 && var.secret_recovery_window_days <= 30)
    error_message = "Secrets Manager offers 0, or 7 to 30 days."
  }
}

variable "ecr_force_delete" {
  description = "Delete repositories with the images in them."
  type        = bool
  default     = false
  nullable    = false
}

variable "data_bucket_force_destroy" {
  description = "Delete the data bucket with what is in it."
  type        = bool
  default     = false
  nullable    = false
}
