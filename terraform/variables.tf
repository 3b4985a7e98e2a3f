# Where it runs and what it is called

variable "aws_region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "availability_zones" {
  description = "The zones to spread over. The load balancer needs at least two of them."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b"]
  nullable    = false

  validation {
    condition     = length(distinct(var.availability_zones)) == length(var.availability_zones) && length(var.availability_zones) >= 2 && length(var.availability_zones) <= 6
    error_message = "Name two to six different zones: an Application Load Balancer needs subnets in at least two."
  }

  validation {
    condition     = alltrue([for zone in var.availability_zones : startswith(zone, var.aws_region)])
    error_message = "Every zone must be one of the region in aws_region (\"us-east-1a\" in \"us-east-1\")."
  }
}

variable "project_name" {
  description = "What every name begins with. A second copy of this stack in one account and region needs another."
  type        = string
  default     = "karmacadabra"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.project_name)) && !strcontains(var.project_name, "--")
    error_message = "Use lower-case letters, digits and single hyphens, beginning with a letter: repositories and target groups allow nothing else."
  }
}

variable "tags" {
  description = "Tags for everything, beside Project and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false
}

# The agents

variable "agents" {
  description = <<-EOT
    The agents, by name. The name is part of every path, host name and resource; the rest says how it differs from the others:
    port: where it listens.
    priority: of its load balancer rule; the lower number is evaluated first.
    cpu, memory, desired_count: instead of task_cpu, task_memory and desired_count_per_service.
    min_capacity, max_capacity: instead of autoscaling_min_capacity and autoscaling_max_capacity.
    health_check_path: what the load balancer asks for.
    calls: the agents it calls. It finds the address of each in an environment variable (KARMA_HELLO_URL), and the security groups let it through.
    secrets: the keys of its secret in Secrets Manager that become environment variables. A task does not start while one of them has no value.
    environment: further environment variables.
    prices: with payments, what its skills cost, in base units of the token; those that are not named are free. Without any it asks its own prices.
  EOT
  type = map(object({
    port              = number
    priority          = number
    cpu               = optional(number)
    memory            = optional(number)
    desired_count     = optional(number)
    min_capacity      = optional(number)
    max_capacity      = optional(number)
    health_check_path = optional(string, "/health")
    calls             = optional(set(string), [])
    secrets           = optional(set(string), [])
    environment       = optional(map(string), {})
    prices            = optional(map(number), {})
  }))
  default = {
    validator       = { port = 9001, priority = 100 }
    karma-hello     = { port = 9002, priority = 200 }
    abracadabra     = { port = 9003, priority = 300, calls = ["karma-hello"] }
    skill-extractor = { port = 9004, priority = 400, calls = ["karma-hello"] }
    voice-extractor = { port = 9005, priority = 500, calls = ["karma-hello"] }
  }
  nullable = false

  validation {
    condition     = length(var.agents) > 0
    error_message = "Name at least one agent."
  }

  validation {
    condition     = alltrue([for name in keys(var.agents) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name)) && length("${var.project_name}-${name}") <= 32])
    error_message = "An agent's name is made of lower-case letters, digits and single hyphens, and with project_name and a hyphen before it has at most 32 characters: a target group's name allows no more."
  }

  validation {
    condition     = length(setintersection(keys(var.agents), ["alb", "autoscaling", "endpoints", "events", "execution", "nat", "store"])) == 0
    error_message = "No agent can be called alb, autoscaling, endpoints, events, execution, nat or store: roles, security groups and the data bucket of the stack have these names."
  }

  validation {
    condition     = alltrue([for agent in var.agents : agent.port >= 1024 && agent.port <= 65535 && floor(agent.port) == agent.port])
    error_message = "Every port is a whole number between 1024 and 65535: the agents do not run as root."
  }

  validation {
    condition     = length(distinct([for agent in var.agents : agent.port])) == length(var.agents)
    error_message = "Every agent needs a port of its own."
  }

  validation {
    condition     = alltrue([for agent in var.agents : agent.priority >= 1 && agent.priority <= 25000 && floor(agent.priority) == agent.priority])
    error_message = "Every priority is a whole number between 1 and 25000: the numbers above are for the rules by host."
  }

  validation {
    condition     = length(distinct([for agent in var.agents : agent.priority])) == length(var.agents)
    error_message = "Every agent needs a priority of its own: two rules of one listener cannot share it."
  }

  validation {
    condition = alltrue([for agent in var.agents : contains(lookup({
      "256"   = [512, 1024, 2048]
      "512"   = range(1024, 4097, 1024)
      "1024"  = range(2048, 8193, 1024)
      "2048"  = range(4096, 16385, 1024)
      "4096"  = range(8192, 30721, 1024)
      "8192"  = range(16384, 61441, 4096)
      "16384" = range(32768, 122881, 8192)
    }, tostring(coalesce(agent.cpu, var.task_cpu)), []), coalesce(agent.memory, var.task_memory))])
    error_message = "Fargate offers these sizes: cpu 256 with memory 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720 (each in steps of 1024); 8192 with 16384 to 61440 in steps of 4096; 16384 with 32768 to 122880 in steps of 8192."
  }

  validation {
    condition = alltrue([for agent in var.agents :
      coalesce(agent.min_capacity, var.autoscaling_min_capacity) >= 0 &&
      coalesce(agent.max_capacity, var.autoscaling_max_capacity) >= max(1, coalesce(agent.min_capacity, var.autoscaling_min_capacity)) &&
      alltrue([for count in [agent.min_capacity, agent.max_capacity, agent.desired_count] : count == null ? true : floor(count) == count && count >= 0])
    ])
    error_message = "An agent's desired_count, min_capacity and max_capacity are whole numbers that are not negative, and max_capacity is at least 1 and not below min_capacity."
  }

  validation {
    condition     = alltrue([for agent in var.agents : startswith(agent.health_check_path, "/")])
    error_message = "Every health_check_path begins with a slash."
  }

  validation {
    condition     = alltrue([for name, agent in var.agents : alltrue([for callee in agent.calls : callee != name && contains(keys(var.agents), callee)])])
    error_message = "An agent can only call the other agents of this map."
  }

  validation {
    condition     = alltrue([for agent in var.agents : length(setintersection(keys(agent.environment), agent.secrets)) == 0])
    error_message = "A variable of an agent stands in its environment or in its secrets: ECS takes no task definition with both."
  }

  validation {
    condition     = alltrue(flatten([for agent in var.agents : [for skill, price in agent.prices : can(regex("^[a-z0-9_.-]+$", skill)) && price >= 0 && floor(price) == price]]))
    error_message = "A price is a whole number of base units that is not negative, by the name of a skill."
  }
}

variable "image_tag" {
  description = "The tag of the agents' images, where image_digests has none for an agent. Repositories are immutable: a new image needs a new tag."
  type        = string
  default     = "0.1.0"
  nullable    = false
}

variable "image_digests" {
  description = "The exact image of an agent by its name: { validator = \"sha256:...\" }."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for digest in values(var.image_digests) : can(regex("^sha256:[0-9a-f]{64}$", digest))])
    error_message = "A digest is \"sha256:\" and 64 hexadecimal digits."
  }

  validation {
    condition     = alltrue([for name in keys(var.image_digests) : contains(keys(var.agents), name)])
    error_message = "Every name must be one of agents."
  }
}

variable "log_level" {
  description = "How much the agents log."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.log_level)
    error_message = "Choose error, warn, info or debug: the agents know no other."
  }
}

variable "rate_limit_per_minute" {
  description = "How many requests a minute an agent's task takes from one caller, by address or by payer; up to a sixth of that at once. Null is no limit."
  type        = number
  default     = 6000

  validation {
    condition     = var.rate_limit_per_minute == null ? true : var.rate_limit_per_minute >= 1 && floor(var.rate_limit_per_minute) == var.rate_limit_per_minute
    error_message = "The limit is a whole number from 1 on, or null."
  }
}

# Size and scaling

variable "task_cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.task_cpu)
    error_message = "Fargate offers 256, 512, 1024, 2048, 4096, 8192 and 16384 CPU units."
  }
}

variable "task_memory" {
  description = "Memory of a task in MiB."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.task_memory >= 512 && var.task_memory <= 122880
    error_message = "Fargate offers 512 to 122880 MiB, depending on task_cpu."
  }
}

variable "cpu_architecture" {
  description = "What the images are built for: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
  nullable    = false

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "Choose X86_64 or ARM64."
  }
}

variable "use_fargate_spot" {
  description = "Run on spare capacity: cheaper, but AWS may take a task back with two minutes' notice."
  type        = bool
  default     = true
  nullable    = false
}

variable "fargate_base" {
  description = "With use_fargate_spot: so many tasks of each agent run on demand before any runs on spare capacity."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.fargate_base >= 0 && var.fargate_base <= 100000 && floor(var.fargate_base) == var.fargate_base
    error_message = "The base is a whole number between 0 and 100000."
  }
}

variable "fargate_weight" {
  description = "With use_fargate_spot: the share of the tasks beyond the base that runs on demand, as a weight beside fargate_spot_weight."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.fargate_weight >= 0 && var.fargate_weight <= 1000 && floor(var.fargate_weight) == var.fargate_weight
    error_message = "A weight is a whole number between 0 and 1000."
  }
}

variable "fargate_spot_weight" {
  description = "With use_fargate_spot: the share of the tasks beyond the base that runs on spare capacity."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.fargate_spot_weight >= 1 && var.fargate_spot_weight <= 1000 && floor(var.fargate_spot_weight) == var.fargate_spot_weight
    error_message = "The weight of spare capacity is a whole number between 1 and 1000; to do without it, set use_fargate_spot = false."
  }
}

variable "desired_count_per_service" {
  description = "Tasks of each agent to begin with. Afterwards autoscaling decides."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.desired_count_per_service >= 0 && floor(var.desired_count_per_service) == var.desired_count_per_service
    error_message = "A count is a whole number that is not negative."
  }
}

variable "autoscaling_min_capacity" {
  description = "Autoscaling keeps at least so many tasks of each agent."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.autoscaling_min_capacity >= 0 && floor(var.autoscaling_min_capacity) == var.autoscaling_min_capacity
    error_message = "A count is a whole number that is not negative."
  }
}

variable "autoscaling_max_capacity" {
  description = "Autoscaling starts at most so many tasks of each agent."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.autoscaling_max_capacity >= max(1, var.autoscaling_min_capacity) && floor(var.autoscaling_max_capacity) == var.autoscaling_max_capacity
    error_message = "The maximum is a whole number, at least 1 and not below autoscaling_min_capacity."
  }
}

variable "autoscaling_cpu_target" {
  description = "Autoscaling aims at this CPU utilisation, in percent."
  type        = number
  default     = 75
  nullable    = false

  validation {
    condition     = var.autoscaling_cpu_target > 0 && var.autoscaling_cpu_target <= 100
    error_message = "A utilisation is above 0 and at most 100 percent."
  }
}

variable "autoscaling_memory_target" {
  description = "Autoscaling aims at this memory utilisation, in percent."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.autoscaling_memory_target > 0 && var.autoscaling_memory_target <= 100
    error_message = "A utilisation is above 0 and at most 100 percent."
  }
}

variable "business_hours" {
  description = "When the agents have their usual limits of autoscaling, and which others apply after closing. Both times are expressions of Application Auto Scaling: cron(0 8 ? * MON-FRI *)."
  type = object({
    timezone            = optional(string, "UTC")
    open                = optional(string, "cron(0 8 ? * MON-FRI *)")
    close               = optional(string, "cron(0 20 ? * MON-FRI *)")
    closed_min_capacity = optional(number, 0)
    closed_max_capacity = optional(number, 0)
  })
  default = null

  validation {
    condition     = var.business_hours == null ? true : alltrue([for time in [var.business_hours.open, var.business_hours.close] : can(regex("^(cron|rate|at)\\(.+\\)$", time))])
    error_message = "Write open and close as cron(...), rate(...) or at(...)."
  }

  validation {
    condition     = var.business_hours == null ? true : var.business_hours.closed_min_capacity >= 0 && var.business_hours.closed_max_capacity >= var.business_hours.closed_min_capacity
    error_message = "closed_min_capacity is not negative, and closed_max_capacity not below it."
  }
}

variable "deployment_minimum_healthy_percent" {
  description = "Of an agent's desired tasks, so many percent stay healthy while they are replaced, rounded up."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.deployment_minimum_healthy_percent >= 0 && var.deployment_minimum_healthy_percent <= 100 && floor(var.deployment_minimum_healthy_percent) == var.deployment_minimum_healthy_percent
    error_message = "The minimum is a whole number between 0 and 100."
  }
}

variable "deployment_maximum_percent" {
  description = "Of an agent's desired tasks, so many percent run at most while they are replaced, rounded down."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.deployment_maximum_percent >= 100 && var.deployment_maximum_percent <= 200 && floor(var.deployment_maximum_percent) == var.deployment_maximum_percent
    error_message = "The maximum is a whole number between 100 and 200."
  }

  validation {
    condition     = alltrue([for tasks in [max(1, var.autoscaling_min_capacity)] : floor(tasks * var.deployment_maximum_percent / 100) > tasks || ceil(tasks * var.deployment_minimum_healthy_percent / 100) < tasks])
    error_message = "With autoscaling_min_capacity tasks this leaves no room to start one or to stop one, and no deployment would ever end: raise deployment_maximum_percent or lower deployment_minimum_healthy_percent."
  }
}

variable "health_check_grace_period_seconds" {
  description = "For so long after a task has started, failed health checks do not stop it."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.health_check_grace_period_seconds >= 0 && var.health_check_grace_period_seconds <= 2147483647 && floor(var.health_check_grace_period_seconds) == var.health_check_grace_period_seconds
    error_message = "The grace period is a whole number of seconds that is not negative."
  }
}

variable "wait_for_steady_state" {
  description = "Applying ends when the tasks are healthy, and fails where they do not become so. The images must be in the registry first."
  type        = bool
  default     = true
  nullable    = false
}

# The network

variable "vpc_cidr" {
  description = "The address range of the VPC. Each subnet gets a sixteenth of it."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && can(regex("/(1[6-9]|2[0-2])$", var.vpc_cidr))
    error_message = "Give an IPv4 range between /16 and /22: AWS allows no larger one, and in a smaller one the subnets run out of addresses."
  }
}

variable "enable_nat_gateway" {
  description = "Give the private subnets a way to the internet. Without it, and without a NAT instance, the tasks run in the public subnets with public addresses, behind the same security groups."
  type        = bool
  default     = true
  nullable    = false
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones instead of one in each: cheaper, but its zone is a single point of failure."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_nat_instance" {
  description = "Instead of a NAT gateway: one small machine does its work, cheaper. It is a single point of failure, and its updates are yours to make."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.enable_nat_instance && var.enable_nat_gateway)
    error_message = "A NAT instance takes the place of the NAT gateway: set enable_nat_gateway = false."
  }
}

variable "nat_instance_type" {
  description = "The NAT instance's size."
  type        = string
  default     = "t4g.nano"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9]+$", var.nat_instance_type))
    error_message = "Give an instance type such as \"t4g.nano\"."
  }
}

variable "nat_instance_ami" {
  description = "The NAT instance's image; null looks up the newest Amazon Linux 2023."
  type        = string
  default     = null

  validation {
    condition     = var.nat_instance_ami == null ? true : can(regex("^ami-[0-9a-f]+$", var.nat_instance_ami))
    error_message = "An image's id is \"ami-\" and hexadecimal digits."
  }
}

variable "enable_vpc_endpoints" {
  description = "Reach S3, and so the layers of the images, without the NAT gateway. It also allows the endpoints in vpc_interface_endpoints."
  type        = bool
  default     = true
  nullable    = false
}

variable "vpc_interface_endpoints" {
  description = "With enable_vpc_endpoints: the services that are reached without the NAT gateway. Each endpoint is paid for by the hour in every zone."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for service in var.vpc_interface_endpoints : contains(["ecr.api", "ecr.dkr", "logs", "monitoring", "secretsmanager", "ssmmessages", "xray"], service)])
    error_message = "Choose among ecr.api, ecr.dkr, logs, monitoring, secretsmanager, ssmmessages and xray."
  }

  validation {
    condition     = contains(var.vpc_interface_endpoints, "ecr.api") == contains(var.vpc_interface_endpoints, "ecr.dkr")
    error_message = "Pulling an image needs ecr.api and ecr.dkr: name both or neither."
  }
}

variable "vpc_interface_endpoints_in_one_zone" {
  description = "Interface endpoints only in the first zone: cheaper, but without that zone no task starts and no log is written."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_service_connect" {
  description = "Let agents call each other by name. Without it they are not told each other's addresses; what an agent needs must then stand in its environment."
  type        = bool
  default     = true
  nullable    = false
}

variable "alb_ingress_cidr_blocks" {
  description = "Who may use the load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for range in var.alb_ingress_cidr_blocks : can(cidrnetmask(range))])
    error_message = "Give IPv4 ranges such as \"203.0.113.0/24\"."
  }
}

variable "alb_idle_timeout" {
  description = "Seconds that a connection of the load balancer may be silent: longer than an agent thinks before its first byte."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.alb_idle_timeout >= 1 && var.alb_idle_timeout <= 4000
    error_message = "The idle timeout is between 1 and 4000 seconds."
  }
}

variable "alb_deletion_protection" {
  description = "Refuse to delete the load balancer, even by Terraform."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_alb_access_logs" {
  description = "Keep a log of every request in a bucket of its own, as long as log_retention_days."
  type        = bool
  default     = false
  nullable    = false
}

variable "certificate_arn" {
  description = "A certificate in AWS Certificate Manager. With it the agents answer over HTTPS, and HTTP leads there."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null ? true : can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "Give the ARN of a certificate: arn:aws:acm:REGION:ACCOUNT:certificate/ID."
  }
}

variable "domain_name" {
  description = "A domain for the load balancer. Every agent also answers at a name below it: validator.DOMAIN."
  type        = string
  default     = null

  validation {
    condition     = var.domain_name == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "Give a domain in lower case such as \"agents.example.com\"."
  }
}

variable "route53_zone_id" {
  description = "The hosted zone of domain_name: its records are then made here."
  type        = string
  default     = null

  validation {
    condition     = var.route53_zone_id == null ? true : can(regex("^Z[A-Z0-9]+$", var.route53_zone_id))
    error_message = "A hosted zone's id is \"Z\" and upper-case letters or digits."
  }

  validation {
    condition     = var.route53_zone_id == null ? true : var.domain_name != null
    error_message = "Records need a name: set domain_name too."
  }
}
