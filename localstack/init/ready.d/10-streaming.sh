#!/usr/bin/env bash
# The shipped lab `streaming-s3`, as far as it lives in LocalStack: a network in two regions, a
# launch template, one instance of playback in each zone, and the buckets. What is there already is
# left, so that the hook may run again at any time; an instance that is gone is replaced.
# Names, ranges, tags and objects are those of chaos/lab/systems/streaming-s3.yaml, chaos/lab/seed.py
# and chaos/lab/stock.py: the lab takes over what it finds with them.
set -euo pipefail

LAB=streaming-s3 SERVICE=playback
IMAGE=ami-0123456789abcdef0 TYPE=t3.micro
TEMPLATE="$LAB-$SERVICE" BUCKET=viewing-history
LAB_TAG="{Key=chaos:lab,Value=$LAB}"

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_PAGER=""
if [ -z "${AWS_ENDPOINT_URL:-}" ]; then
  listen="${GATEWAY_LISTEN:-127.0.0.1:4566}"
  listen="${listen%%,*}"
  export AWS_ENDPOINT_URL="http://127.0.0.1:${listen##*:}"
fi

if ! command -v aws >/dev/null; then
  aws() { awslocal "$@"; } # what the image is sure to have
fi

# ec2 REGION COMMAND…: the words that the answer has; "None" is a list without an element. Each
# call takes a second to start, so in a region without the VPC nothing further is asked for.
ec2() {
  local region="$1"
  shift
  aws ec2 --region "$region" --output text "$@"
}

tagged() { # RESOURCE-TYPE [TAGS]
  echo "ResourceType=$1,Tags=[$LAB_TAG${2:+,$2}]"
}

template() { # REGION
  local found
  found="$(ec2 "$1" describe-launch-templates --query 'LaunchTemplates[0].LaunchTemplateId' \
    --filters "Name=launch-template-name,Values=$TEMPLATE")"
  if [ "$found" != None ]; then return; fi
  ec2 "$1" create-launch-template --launch-template-name "$TEMPLATE" \
    --launch-template-data "{\"ImageId\": \"$IMAGE\", \"InstanceType\": \"$TYPE\"}" \
    --tag-specifications "$(tagged launch-template)" >/dev/null
}

zone() { # REGION VPC IS-NEW ZONE RANGE
  local subnet=None instance=None tags
  if [ "$3" = no ]; then
    subnet="$(ec2 "$1" describe-subnets --query 'Subnets[0].SubnetId' \
      --filters "Name=vpc-id,Values=$2" "Name=cidr-block,Values=$5")"
  fi
  if [ "$subnet" = None ]; then
    subnet="$(ec2 "$1" create-subnet --vpc-id "$2" --availability-zone "$4" --cidr-block "$5" \
      --query Subnet.SubnetId --tag-specifications "$(tagged subnet)")"
  else
    instance="$(ec2 "$1" describe-instances --query 'Reservations[0].Instances[0].InstanceId' \
      --filters "Name=subnet-id,Values=$subnet" "Name=tag:service,Values=$SERVICE" \
      Name=instance-state-name,Values=pending,running)"
  fi
  if [ "$instance" != None ]; then return; fi
  tags="{Key=service,Value=$SERVICE},{Key=tier,Value=edge},{Key=chaos:group,Value=$SERVICE-$4}"
  ec2 "$1" run-instances --count 1 --subnet-id "$subnet" \
    --launch-template "LaunchTemplateName=$TEMPLATE" \
    --tag-specifications "$(tagged instance "$tags")" >/dev/null
}

network() { # REGION NUMBER
  local vpc new=no n=0 zone
  vpc="$(ec2 "$1" describe-vpcs --query 'Vpcs[0].VpcId' \
    --filters "Name=tag:chaos:lab,Values=$LAB" "Name=cidr,Values=10.$2.0.0/16")"
  if [ "$vpc" = None ]; then
    new=yes
    vpc="$(ec2 "$1" create-vpc --cidr-block "10.$2.0.0/16" --query Vpc.VpcId \
      --tag-specifications "$(tagged vpc)")"
  fi
  template "$1"
  for zone in "${1}a" "${1}b"; do
    n=$((n + 1))
    zone "$1" "$vpc" "$new" "$zone" "10.$2.$n.0/24"
  done
}

bucket() { # REGION
  local name="$BUCKET-$1" where=()
  if aws s3api head-bucket --region "$1" --bucket "$name" >/dev/null 2>&1; then return; fi
  [ "$1" = us-east-1 ] || where=(--create-bucket-configuration "LocationConstraint=$1")
  aws s3api create-bucket --region "$1" --bucket "$name" ${where[@]+"${where[@]}"} >/dev/null
  aws s3api put-bucket-tagging --region "$1" --bucket "$name" --tagging "TagSet=[$LAB_TAG]"
  aws s3api put-bucket-versioning --region "$1" --bucket "$name" \
    --versioning-configuration Status=Enabled
  aws s3 cp --region "$1" --only-show-errors --recursive "$objects" "s3://$name/history"
}

objects="$(mktemp -d)"
trap 'rm -r "$objects"' EXIT
echo -n '{"title": "The Long Way Round", "position": "00:41:07"}' >"$objects/kim.json"
echo -n '{"title": "Night Shift", "position": "01:12:30"}' >"$objects/sam.json"

jobs=()
network us-east-1 1 & jobs+=($!)
network us-west-2 2 & jobs+=($!)
bucket us-east-1 & jobs+=($!)
bucket us-west-2 & jobs+=($!)
for job in "${jobs[@]}"; do wait "$job"; done
