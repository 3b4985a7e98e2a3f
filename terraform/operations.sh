# What the Makefile does, as functions of POSIX sh. Which agents there are, and what they are called, is asked of Terraform each time.

set -eu

: "${TERRAFORM:=terraform}" "${AWS:=aws}" "${DOCKER:=docker}" "${CARGO:=cargo}" "${CURL:=curl}"
: "${VAR_FLAGS:=}" "${APPLY_FLAGS:=}" "${COUNT:=2}" "${BASE_URL:=}"

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "error: $*"
    exit 1
}

# need docker "to build and push images"
need() {
    command -v "$1" >/dev/null || die "$1 is not installed. It is needed $2."
}

# The value of an expression of Terraform's language, a string or a number. Whatever only AWS knows is known here once it is applied.
ask() {
    need "$TERRAFORM" "to know what the stack is called"
    # shellcheck disable=SC2086 # The flags are words.
    answer=$(printf '%s\n' "$1" | "$TERRAFORM" console $VAR_FLAGS 2>&1) || die "$TERRAFORM cannot tell: $answer
Run 'make init' first, if you have not."
    printf '%s\n' "$answer" | sed 's/^"//; s/"$//'
}

# The same, where there is only an answer once it is applied.
ask_applied() {
    answer=$(ask "$1")
    case $answer in
    '' | *'(known after apply)'*) die "The stack is not applied yet, or not this part of it." ;;
    esac
    printf '%s\n' "$answer"
}

agents() {
    ask 'join(" ", keys(var.agents))'
}

# must_be_agent validator
must_be_agent() {
    known=$(agents)
    case " $known " in
    *" $1 "*) ;;
    *) die "There is no agent '$1'. The agents are: $known." ;;
    esac
}

aws_here() {
    need "$AWS" "to talk to AWS: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    [ -n "${region:-}" ] || region=$(ask var.aws_region)
    "$AWS" --region "$region" "$@"
}

# Images

# registry_has REPOSITORY TAG_OR_DIGEST: 0 yes, 1 no, 2 could not be asked (and $refusal says why)
registry_has() {
    case $2 in
    sha256:*) image="imageDigest=$2" ;;
    *) image="imageTag=$2" ;;
    esac
    refusal=$(aws_here ecr describe-images --repository-name "$1" --image-ids "$image" 2>&1 >/dev/null) && return 0
    case $refusal in
    *ImageNotFound* | *RepositoryNotFound*) return 1 ;;
    *) return 2 ;;
    esac
}

# Says by name which images the next apply would wait for in vain.
warn_of_missing_images() {
    if ! command -v "$AWS" >/dev/null; then
        say "warning: $AWS is not installed, so nobody can tell whether the images are in the registry."
        return
    fi
    region=$(ask var.aws_region) missing=
    # The repositories' names are those of ecr.tf.
    images=$(ask 'join(" ", [for name in keys(var.agents) : "${name},${var.project_name}/${name},${lookup(var.image_digests, name, var.image_tag)}"])')
    for image in $images; do
        agent=${image%%,*} reference=${image##*,}
        repository=${image#*,} repository=${repository%,*}
        status=0
        registry_has "$repository" "$reference" || status=$?
        case $status in
        1) missing="$missing
    $agent: $repository at $reference" ;;
        2)
            say "warning: The registry cannot be asked for the images: $refusal"
            return
            ;;
        esac
    done
    [ -z "$missing" ] || say "warning: These images are not in the registry, so their tasks cannot start:$missing
'make deploy' makes the repositories, pushes the images and then applies the rest."
}

ecr_login() {
    need "$DOCKER" "to log in to the registry"
    registry=$(ask_applied 'split("/", values(aws_ecr_repository.agents)[0].repository_url)[0]')
    password=$(aws_here ecr get-login-password)
    printf '%s' "$password" | "$DOCKER" login --username AWS --password-stdin "$registry"
}

# The image holds the program, linked statically, and its data, and nothing else: the same parts as karma.toml names.
build() {
    must_be_agent "$1"
    need "$DOCKER" "to build images"
    need "$CARGO" "to build the agents: https://rustup.rs"
    "$DOCKER" info >/dev/null 2>&1 || die "$DOCKER is installed, but does not answer. Is its service running?"
    architecture=$(ask var.cpu_architecture)
    case $architecture in
    ARM64) target=aarch64-unknown-linux-gnu platform=linux/arm64 ;;
    *) target=x86_64-unknown-linux-gnu platform=linux/amd64 ;;
    esac
    (cd .. && "$CARGO" build --release -p karma-agents --target "$target" \
        --config "target.$target.rustflags = [\"-Ctarget-feature=+crt-static\"]")
    context=$(mktemp -d)
    trap 'rm -rf "$context"' EXIT
    cp "../target/$target/release/karma-agent" "$context/"
    cp -R ../crates/agents/data "$context/data"
    printf '%s\n' \
        'FROM scratch' \
        'COPY karma-agent /usr/local/bin/karma-agent' \
        'COPY data /app/data' \
        'USER 65532:65532' \
        'ENTRYPOINT ["/usr/local/bin/karma-agent"]' \
        "CMD [\"$1\"]" >"$context/Dockerfile"
    image=$(local_name "$1")
    "$DOCKER" build --platform "$platform" --tag "$image" "$context"
}

local_name() {
    ask "\"\${var.project_name}/$1:\${var.image_tag}\""
}

# Tags cannot be moved: what is in the registry stays there.
push() (
    must_be_agent "$1"
    name=$(local_name "$1")
    if registry_has "${name%:*}" "${name##*:}"; then
        say "$name is in the registry already. A new image needs a new image_tag."
        exit
    fi
    build "$1"
    remote=$(ask_applied "aws_ecr_repository.agents[\"$1\"].repository_url")
    remote=$remote:${name##*:}
    "$DOCKER" tag "$name" "$remote"
    "$DOCKER" push "$remote"
)

push_all() {
    names=$(agents)
    for agent in $names; do
        push "$agent"
    done
}

# Services

# each_service FUNCTION: calls it with cluster, service and the limits of autoscaling that the stack declares
each_service() {
    cluster=$(ask_applied aws_ecs_cluster.main.name)
    services=$(ask_applied 'join(" ", [for name, target in aws_appautoscaling_target.agents : "${aws_ecs_service.agents[name].name},${target.min_capacity},${target.max_capacity}"])')
    for limits in $services; do
        service=${limits%%,*} maximum=${limits##*,}
        minimum=${limits#*,} minimum=${minimum%,*}
        "$1" "$cluster" "$service" "$minimum" "$maximum"
    done
}

restart() {
    aws_here ecs update-service --cluster "$1" --service "$2" --force-new-deployment \
        --query 'service.serviceName' --output text
}

# set_limits CLUSTER SERVICE MINIMUM MAXIMUM TASKS
set_limits() {
    aws_here application-autoscaling register-scalable-target --service-namespace ecs \
        --scalable-dimension ecs:service:DesiredCount --resource-id "service/$1/$2" \
        --min-capacity "$3" --max-capacity "$4" >/dev/null
    aws_here ecs update-service --cluster "$1" --service "$2" --desired-count "$5" --output text \
        --query 'service.serviceName' >/dev/null
    say "$2: tasks $5, autoscaling between $3 and $4"
}

scale_up() {
    case $COUNT in
    '' | *[!0-9]*) die "COUNT is a whole number: make scale-up COUNT=3" ;;
    esac
    set_limits "$1" "$2" "$COUNT" "$(($4 > COUNT ? $4 : COUNT))" "$COUNT"
}

scale_down() {
    set_limits "$1" "$2" "$3" "$4" "$3"
}

scale_zero() {
    set_limits "$1" "$2" 0 0 0
}

follow_logs() {
    must_be_agent "$1"
    group=$(ask_applied "aws_cloudwatch_log_group.agents[\"$1\"].name")
    case $(aws_here --version 2>&1) in
    aws-cli/1.*) die "'aws logs tail' needs version 2 of the AWS CLI." ;;
    esac
    aws_here logs tail "$group" --follow
}

dashboard() {
    url=$("$TERRAFORM" output -raw cloudwatch_dashboard_url 2>&1) || true
    case $url in
    https://*) printf '%s\n' "$url" ;;
    *) die "The stack is not applied yet, or not this part of it." ;;
    esac
}

# Health

# Asks each agent, at BASE_URL or where the stack was applied.
health_check() {
    need "$CURL" "to ask the agents"
    urls=$(health_urls) failed=
    for url in $urls; do
        if code=$("$CURL" --silent --show-error --location --max-time 10 --output /dev/null --write-out '%{http_code}' "$url") && [ "$code" = 200 ]; then
            printf 'healthy    %s\n' "$url"
        else
            printf 'unhealthy  %s (%s)\n' "$url" "$code"
            failed="$failed $url"
        fi
    done
    [ -z "$failed" ] || die "not healthy:$failed"
}

# The load balancer's answer to a path that no agent has names the agents: neither Terraform nor AWS needs to be asked.
health_urls() {
    if [ -z "$BASE_URL" ]; then
        ask_applied 'join(" ", [for name, agent in var.agents : "${local.base_url}/${name}${agent.health_check_path}"])'
        return
    fi
    answer=$("$CURL" --silent --show-error --location --max-time 10 "$BASE_URL/")
    paths=$(printf '%s\n' "$answer" | sed -n 's/.*"agents":\[\([^]]*\)\].*/\1/p' | tr -d '" ' | tr ',' ' ')
    [ -n "$paths" ] || die "$BASE_URL does not answer as the stack's load balancer does."
    for path in $paths; do
        printf '%s\n' "${BASE_URL%/}$path/health"
    done
}
