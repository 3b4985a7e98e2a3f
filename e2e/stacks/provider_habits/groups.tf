# Rules and routes as blocks of their parent, logs that are off, policies inside a role, what an instance does first.

resource "aws_vpc" "other" { cidr_block = "10.0.0.0/16" }
resource "aws_route_table" "r" {
  vpc_id = "vpc-1"
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = "igw-1"
  }
  route {
    cidr_block     = "10.1.0.0/16"
    nat_gateway_id = aws_vpc.other.id
  }
}
resource "aws_route_table" "e" {
  vpc_id           = "vpc-1"
  route            = []
  propagating_vgws = ["x"]
}
resource "aws_lb" "l" {
  subnets = ["subnet-1"]
  access_logs {
    bucket = "b"
    prefix = "p"
  }
  connection_logs {
    bucket  = "b"
    prefix  = "p"
    enabled = true
  }
}
resource "aws_lb" "m" {
  subnets = ["subnet-1"]
  access_logs {
    bucket  = aws_vpc.other.id
    enabled = false
  }
}
resource "aws_lb" "n" {
  subnets = ["subnet-1"]
  access_logs {
    bucket  = "x"
    enabled = aws_vpc.other.id == "a"
  }
}
resource "aws_default_security_group" "d" {
  ingress {
    from_port = 1
    to_port   = 1
    protocol  = "TCP"
    self      = true
  }
}
resource "aws_iam_role" "l" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "x" }, Action = "sts:AssumeRole" }] })
  inline_policy {
    name   = "n"
    policy = jsonencode({ Version = "2008-10-17", Statement = [] })
  }
  inline_policy {
    name   = "m"
    policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  }
  inline_policy {
    name   = "u"
    policy = jsonencode({ Version = "2012-10-17", Statement = [aws_vpc.other.id] })
  }
}
resource "aws_security_group" "all" {
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "all"
  }
  ingress {
    from_port   = 1
    to_port     = 2
    protocol    = "6"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_instance" "script" {
  ami           = "ami-1"
  instance_type = "t4g.nano"
  user_data     = "#!/bin/bash\necho hello\n"
}

resource "aws_instance" "encoded_script" {
  ami           = "ami-1"
  instance_type = "t4g.nano"
  user_data     = base64encode("#!/bin/bash\necho hello\n")
}

resource "aws_instance" "no_script" {
  ami           = "ami-1"
  instance_type = "t4g.nano"
  user_data     = ""
}
