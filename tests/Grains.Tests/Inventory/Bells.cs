using System.Collections.Concurrent;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Records that have a date and whose grains only note that they were called.</summary>
internal sealed class Bells : IIncomingGrainCallFilter
{
    public const string Kind = "bell";

    private readonly ConcurrentDictionary<string, DateTimeOffset> _rung = new();
    private readonly ConcurrentDictionary<int, int> _looks = new();

    public static GrainId IdOf(string name) => GrainId.Create(Kind, $"default/{name}");

    public static int PartitionOf(string name) => new PartitionMap(PartitionMap.CountMin).Of(new RecordKey(Kind, $"default/{name}"));

    /// <summary>Another name in the same partition.</summary>
    public static string Beside(string name) =>
        Enumerable.Range(0, 1_000).Select(n => $"{name}-{n}").First(other => PartitionOf(other) == PartitionOf(name));

    /// <summary>Commits the date, and tells nobody.</summary>
    public static async Task SetAsync(StoreSession store, string name, DateTimeOffset? dueAt)
    {
        var state = await store.ReadAsync(IdOf(name));
        var next = state.State.Next("x", 1);
        await store.WriteAsync(IdOf(name), state, next with { Attachments = next.Attachments with { DueAt = dueAt } });
    }

    /// <summary>When its grain was called first; null when it was not yet.</summary>
    public DateTimeOffset? RungAt(string name) => _rung.TryGetValue($"default/{name}", out var at) ? at : null;

    /// <summary>How often a due list was told that nothing is due.</summary>
    public int LooksForNothing(int partition) => _looks.GetValueOrDefault(partition);

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        await context.Invoke();
        if (context.MethodName == nameof(IInventoryGrain.GetDueAsync) && context.Result is DueRecords { Records.IsEmpty: true })
        {
            _looks.AddOrUpdate((int)context.TargetId.GetIntegerKey(), 1, (_, looks) => looks + 1);
        }
    }

    public void Ring(string key) => _rung.TryAdd(key, TimeProvider.System.GetUtcNow());
}

[GrainType(Bells.Kind)]
internal sealed class BellGrain(Bells bells) : Grain, IDueGrain
{
    public Task OnDueAsync(CancellationToken cancellationToken)
    {
        bells.Ring(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }
}
