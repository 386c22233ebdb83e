using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Devices;

/// <summary>What became of a command to each device of a page.</summary>
internal readonly record struct DevicePageOutcome(int Done, int Unchanged, int Refused);

/// <summary>A command to each device of one page. One that was done already changes nothing, so that a page can be repeated.</summary>
internal static class DevicePage
{
    /// <summary>Commits under way for one caller: fills the pipeline of the store and leaves room for others.</summary>
    private const int CommitsAtOnce = 32;

    public static async Task<DevicePageOutcome> SendAsync(
        ListedPage page, Func<TenantId, DeviceId, Task<DeviceReply>> send, CancellationToken cancellationToken)
    {
        int done = 0, unchanged = 0, refused = 0;
        await Parallel.ForEachAsync(
            page.Rows,
            new ParallelOptions { MaxDegreeOfParallelism = CommitsAtOnce, CancellationToken = cancellationToken },
            async (row, cancelled) =>
            {
                var reply = await send(row.Row.Tenant, DeviceOf(row));
                ref var outcome = ref done;
                outcome = ref reply.Error is not null ? ref refused : ref reply.IsUnchanged ? ref unchanged : ref done;
                Interlocked.Increment(ref outcome);
            });
        return new DevicePageOutcome(done, unchanged, refused);
    }

    private static DeviceId DeviceOf(ListedRow row) => DeviceId.TryParse(row.Row.Name, out var device)
        ? device
        : throw new InvalidOperationException($"'{row.Row.Name}' is listed as a device and is no device id.");
}
