"""A job-shop instance in the words of the API: the bodies of its machines, activities, items and orders."""

from collections.abc import Iterator

from planwerk.seeds.client import Json
from planwerk.seeds.instances import Instance


def activities_of(instance: Instance) -> Iterator[Json]:
    """The machine types: each machine of a job shop is the only one of its type."""
    for machine in range(instance.machines):
        yield {
            "external_ref": f"jobshop-{instance.name}-activity-{machine}",
            "code": f"{instance.name}-M{machine}",
            "description": f"Work on machine {machine} ({instance.name})",
            "resource_type": "machine",
        }


def resources_of(instance: Instance, activities: list[str]) -> Iterator[Json]:
    for machine, activity in enumerate(activities):
        yield {
            "external_ref": f"jobshop-{instance.name}-machine-{machine}",
            "name": f"Machine {machine} ({instance.name})",
            "type": "machine",
            "description": instance.reference,
            "activities": [{"id": activity}],
        }


def items_of(instance: Instance) -> Iterator[Json]:
    for number in range(len(instance.jobs)):
        yield {
            "external_ref": f"jobshop-{instance.name}-item-{number}",
            "code": f"{instance.name}-J{number}",
            "description": f"Product of job {number} ({instance.name})",
            "unit": "pcs",
        }


def orders_of(instance: Instance, activities: list[str], items: list[str]) -> Iterator[Json]:
    for number, item in enumerate(items):
        yield {
            "external_ref": f"jobshop-{instance.name}-job-{number}",
            "type": "Production",
            "code": f"{instance.name} job {number}",
            "description": f"Job {number} of the job shop {instance.name}",
            "quantity": 1,
            "item_id": item,
            "order_rows": list(rows_of(instance, number, activities)),
        }


def rows_of(instance: Instance, number: int, activities: list[str]) -> Iterator[Json]:
    for position, operation in enumerate(instance.jobs[number]):
        yield {
            "external_ref": f"jobshop-{instance.name}-job-{number}-operation-{position}",
            "description": f"Operation {position} on machine {operation.machine}",
            "position": position,
            "activity_id": activities[operation.machine],
            "unit": "minutes",
            "quantity": operation.minutes,
        }
