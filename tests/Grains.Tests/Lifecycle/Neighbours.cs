using System.Collections.Concurrent;
using System.Reflection;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Inventory;

namespace Muster.Grains.Tests.Lifecycle;

/// <summary>
/// The devices and the inventory as the lifecycle's grains see them: answers of a script, so that a test can let a device
/// refuse, throw or prove what it wants.
/// </summary>
internal sealed class Neighbours(PartitionMap partitions, SteppedClock clock)
{
    private readonly ConcurrentDictionary<string, Device> _devices = new();
    private int _serial;

    /// <summary>Commands that devices were given, in order.</summary>
    public ConcurrentQueue<(string Key, DeviceCommand Command)> Begun { get; } = new();

    /// <summary>Throws before a device takes a command: the silo that held it is gone.</summary>
    public bool DevicesThrow { get; set; }

    /// <summary>Throws at the next pages of this partition.</summary>
    public int? FailingPartition { get; set; }

    /// <summary>Records that a partition says are due, and what becomes of a call to one of them; null for the real ones.</summary>
    public ConcurrentDictionary<int, DueScript> Due { get; } = new();

    /// <summary>Pages that were asked for.</summary>
    public ConcurrentQueue<(int Partition, RowQuery Query)> Pages { get; } = new();

    public string AddDevice(string model, DeviceState state = DeviceState.InService)
    {
        var id = DeviceId.TryParse($"B8A44F{Interlocked.Increment(ref _serial):X6}", out var parsed) ? parsed : throw new FormatException();
        var key = DeviceKey.Of(TenantId.Default, id);
        _devices[key] = new Device
        {
            Tenant = TenantId.Default,
            Id = id,
            State = state,
            StateChangedAt = clock.GetUtcNow(),
            Expected = new ExpectedDevice(model, "active", "", "", EnrollmentApproval.Automatic),
            RequestId = "r",
            CreatedAt = clock.GetUtcNow(),
            Identity = state == DeviceState.Expected
                ? null
                : new DeviceIdentity("ieee8021ar", id, new string('a', 64), new string('b', 64), [1]),
        };
        return key;
    }

    public void SetState(string key, DeviceState state) => _devices[key] = _devices[key] with { State = state };

    /// <summary>The device answers its command with a verified proof.</summary>
    public void Prove(string key, string? nonce = null)
    {
        var device = _devices[key];
        _devices[key] = device with
        {
            State = DeviceState.Decommissioned,
            Erasure = new ErasureEvidence(
                nonce ?? device.Command!.Nonce,
                [1, 2, 3],
                device.Identity!.CertificateSha256,
                device.Identity.KeySha256,
                device.Identity.PublicKey,
                "boot-1",
                "boot-2",
                clock.GetUtcNow()),
        };
    }

    public DeviceReply Get(string key) =>
        _devices.TryGetValue(key, out var device) ? new DeviceReply(device, null) : new DeviceReply(null, NotFound(key));

    public DeviceReply Begin(string key, BeginDecommission command)
    {
        if (DevicesThrow)
        {
            throw new StoreUnavailableException("The device's silo is gone on purpose.");
        }

        Begun.Enqueue((key, command.Command));
        if (!_devices.TryGetValue(key, out var device))
        {
            return new DeviceReply(null, NotFound(key));
        }

        if (device.State != DeviceState.Decommissioned)
        {
            _devices[key] = device with { State = DeviceState.Decommissioning, Command = command.Command };
        }

        return Get(key);
    }

    public RowPage List(int partition, RowQuery query)
    {
        Pages.Enqueue((partition, query));
        if (partition == FailingPartition)
        {
            throw new StoreUnavailableException("The partition is gone on purpose.");
        }

        var (filter, error) = InventoryFilter.Parse(query.Filter, InventoryFields.Device);
        Assert.Null(error);
        Assert.Equal(GrainTypes.Device, query.Kind);
        var rows = _devices
            .Where(entry => partitions.OfDevice(entry.Key) == partition && string.CompareOrdinal(entry.Value.Id.Value, query.After) > 0)
            .Select(entry => DeviceRow.Of(entry.Value, withSettings: true))
            .Where(row => filter.Matches(row, DateTimeOffset.UnixEpoch))
            .OrderBy(row => row.Name, StringComparer.Ordinal)
            .Select(row => new ListedRow(new RecordKey(GrainTypes.Device, $"{row.Tenant}/{row.Name}"), 1, row, null))
            .ToArray();
        return new RowPage([.. rows.Take(query.RowsMax)], rows.Length <= query.RowsMax, null);
    }

    private static FleetError NotFound(string key) => FleetError.Of(ErrorKind.NotFound, "NOT_FOUND", "No such device.", ("device", key));
}

/// <summary>The silo's grain factory, except that devices and inventories are the <see cref="Neighbours"/>.</summary>
public class NeighbourFactory : DispatchProxy
{
    private IGrainFactory _inner = null!;
    private Neighbours _neighbours = null!;

    internal static IGrainFactory Create(IGrainFactory inner, Neighbours neighbours)
    {
        var factory = Create<IGrainFactory, NeighbourFactory>();
        var proxy = (NeighbourFactory)(object)factory;
        proxy._inner = inner;
        proxy._neighbours = neighbours;
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var asked = targetMethod is { IsGenericMethod: true } ? targetMethod.GetGenericArguments()[0] : null;
        if (asked == typeof(IDeviceGrain))
        {
            return NeighbourGrain.Create<IDeviceGrain>((method, call) => method switch
            {
                nameof(IDeviceGrain.GetAsync) => Task.FromResult(_neighbours.Get((string)args![0]!)),
                nameof(IDeviceGrain.BeginDecommissionAsync) =>
                    Task.FromResult(_neighbours.Begin((string)args![0]!, (BeginDecommission)call[0]!)),
                _ => throw new NotSupportedException(method),
            });
        }

        if (asked == typeof(IInventoryGrain))
        {
            return NeighbourGrain.Create<IInventoryGrain>((method, call) => method switch
            {
                nameof(IInventoryGrain.ListAsync) => Task.FromResult(_neighbours.List((int)(long)args![0]!, (RowQuery)call[0]!)),
                nameof(IInventoryGrain.GetDueAsync) => Task.FromResult(_neighbours.Due[(int)(long)args![0]!].Records()),
                _ => throw new NotSupportedException(method),
            });
        }

        if (asked == typeof(IDueGrain)
            && _neighbours.Due.Values.FirstOrDefault(due => due.Knows((GrainId)args![0]!)) is { } script)
        {
            return NeighbourGrain.Create<IDueGrain>((_, _) => script.CallAsync((GrainId)args![0]!));
        }

        return targetMethod!.Invoke(_inner, args);
    }
}

/// <summary>One grain of the neighbours.</summary>
public class NeighbourGrain : DispatchProxy
{
    private Func<string, object?[], object> _answer = null!;

    internal static TGrain Create<TGrain>(Func<string, object?[], object> answer)
        where TGrain : class
    {
        var grain = Create<TGrain, NeighbourGrain>();
        ((NeighbourGrain)(object)grain)._answer = answer;
        return grain;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _answer(targetMethod!.Name, args ?? []);
}
