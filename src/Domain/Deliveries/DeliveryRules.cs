using Muster.Domain.Devices;

namespace Muster.Domain.Deliveries;

/// <summary>Decides about a delivery. Its list may be imported again at any time: what is there already stays as it is.</summary>
public static class DeliveryRules
{
    /// <summary>Who imports gets all of them; the record keeps enough for whoever looks later, and stays below 100 kB.</summary>
    public const int ErrorsMax = 100;

    /// <summary>
    /// The request id of its devices, which begins with a word, has at most <see cref="DeviceLifecycle.RequestIdLengthMax"/> characters.
    /// </summary>
    public const int IdLengthMax = DeviceLifecycle.RequestIdLengthMax - 9;

    /// <summary>What creates its devices: the same line of the same delivery is the same request.</summary>
    public static string RequestIdOf(ResourceId delivery) => $"delivery.{delivery}";

    /// <summary>An import begins; one that was under way may no longer say how it ended.</summary>
    public static Decision<Delivery?> Begin(Delivery? current, TenantId tenant, ResourceId id, DateTimeOffset now)
    {
        if (id.Value.Length > IdLengthMax)
        {
            return Decision.Refuse(current, DeliveryErrors.IdTooLong(id));
        }

        var run = (current?.Run ?? 0) + 1;
        var next = (current ?? new Delivery { Tenant = tenant, Id = id, State = DeliveryState.Importing, Run = run, BegunAt = now }) with
        {
            State = DeliveryState.Importing,
            Run = run,
            BegunAt = now,
            EndedAt = null,
        };
        return Decision.Accept<Delivery?>(next, new DeliveryBegun(run));
    }

    /// <summary>The list was read to its end. The same word again changes nothing.</summary>
    public static Decision<Delivery?> Complete(
        Delivery? current, ResourceId id, int run, DeliveryCounts counts, ImmutableArray<DeliveryLineError> errors, DateTimeOffset now)
    {
        if (current is null)
        {
            return Decision.Refuse(current, DeliveryErrors.NotFound(id));
        }

        if (current.Run != run)
        {
            return Decision.Refuse<Delivery?>(current, DeliveryErrors.Overtaken(id));
        }

        return current.State switch
        {
            DeliveryState.Imported => Decision.Unchanged<Delivery?>(current),
            DeliveryState.Importing => Decision.Accept<Delivery?>(
                current with
                {
                    State = DeliveryState.Imported,
                    EndedAt = now,
                    Counts = counts,
                    Errors = [.. errors.OrderBy(error => error.Line).Take(ErrorsMax)],
                },
                new DeliveryImported(run, counts)),
            _ => throw new UnreachableException($"Delivery '{id}' has unknown state {current.State}."),
        };
    }
}
