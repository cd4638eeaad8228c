"""Notices: from the table's stream to an event bus, and by a queue to subscribers."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from halftone_cdk.constructs.access.permissions import Permissions
from halftone_cdk.constructs.engine.storage import Storage
from halftone_cdk.constructs.function.engine_function import EngineFunction
from halftone_cdk.settings import Settings

_SECONDS = 60
_RECEIVED = 5
"""How often a delivery that table or queue stopped is handed out before it is a dead letter."""


class Notices(Construct):
    """The bus of a stage, the queue of deliveries, and the two functions between them.

    The engine writes records and calls nothing of this: what is slow or broken here delays notices,
    and no rollout.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: Storage,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(self, "Bus", event_bus_name=f"halftone-{settings.name}")
        self.queue = sqs.Queue(
            self,
            "Deliveries",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(2),
            # As AWS recommends: six times as long as the function may take.
            visibility_timeout=Duration.seconds(6 * _SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=_RECEIVED),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._settings = settings
        self._environment = {
            "HALFTONE_TABLE": storage.table.table_name,
            "HALFTONE_BUS": self.bus.event_bus_name,
            "HALFTONE_NOTICES": self.queue.queue_url,
            "HALFTONE_WEBHOOK_HOSTS": " ".join(settings.webhook_hosts),
        }
        may = Permissions(self, settings.name)
        announcer = self._function(
            "Announce",
            "on_records",
            "Publishes the notices of new records, and queues them for their subscribers",
        )
        announcer.add_to_role_policy(may.read_subscriptions(storage.table.table_arn))
        announcer.add_to_role_policy(may.publish_notices(self.bus.event_bus_arn))
        announcer.add_to_role_policy(may.queue_notices(self.queue.queue_arn))
        announcer.add_event_source(
            sources.DynamoEventSource(
                storage.table,
                starting_position=lambda_.StartingPosition.LATEST,
                batch_size=100,
                max_record_age=Duration.hours(24),
                bisect_batch_on_error=True,
                on_failure=sources.SqsDlq(dead_letters),
                filters=[
                    lambda_.FilterCriteria.filter(
                        {
                            "eventName": lambda_.FilterRule.is_equal("INSERT"),
                            "dynamodb": {
                                "NewImage": {"sk": {"S": lambda_.FilterRule.begins_with("AUDIT#")}}
                            },
                        }
                    )
                ],
            )
        )
        deliverer = self._function(
            "Deliver", "on_deliveries", "Delivers notices to their subscribers"
        )
        deliverer.add_to_role_policy(may.read_noticed_records(storage.table.table_arn))
        deliverer.add_to_role_policy(may.keep_undelivered(storage.table.table_arn))
        deliverer.add_to_role_policy(may.queue_notices(self.queue.queue_arn))
        deliverer.add_to_role_policy(may.publish_to_topics())
        deliverer.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=5,
                report_batch_item_failures=True,
                # Subscribers that hang hold so many sandboxes, and no more of the account's.
                max_concurrency=5,
            )
        )

    def _function(self, construct_id: str, handler: str, description: str) -> lambda_.IFunction:
        return EngineFunction(
            self,
            construct_id,
            settings=self._settings,
            name=f"notify_{handler}",
            folder="notify",
            handler=handler,
            description=description,
            timeout=Duration.seconds(_SECONDS),
            environment=self._environment,
            permissions=[],
        ).function
