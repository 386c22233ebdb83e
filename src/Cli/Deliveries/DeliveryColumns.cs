using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Deliveries;

/// <summary>What tables show of deliveries.</summary>
internal static class DeliveryColumns
{
    public const string Collection = "deliveries";

    public static IReadOnlyList<(string Header, Func<V1.Delivery, string> Value)> All { get; } =
    [
        ("DELIVERY", delivery => Values.Short(delivery.Name)),
        ("STATE", delivery => EnumNames.Of(delivery.State)),
        ("BEGUN", delivery => Instant(delivery.BegunAt)),
        ("ENDED", delivery => Instant(delivery.EndedAt)),
        ("CREATED", delivery => Number(delivery.Created)),
        ("UNCHANGED", delivery => Number(delivery.Unchanged)),
        ("REFUSED", delivery => Number(delivery.Refused)),
    ];

    public static V1.Deliveries.DeliveriesClient Client(FleetSession session) => new(session.Calls);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Instant(Timestamp? at) => at?.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null) ?? "";
}
