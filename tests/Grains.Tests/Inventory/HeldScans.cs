using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Muster.Contracts.Commit;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Holds up the next scan of records, so that a test sees what goes on beside it.</summary>
internal sealed class HeldScans
{
    private Held? _next;

    public Held Hold() => _next = new Held();

    /// <summary>Puts itself before the scanner that is registered.</summary>
    public void Decorate(IServiceCollection services)
    {
        var known = services.Last(service => service.ServiceType == typeof(IRecordScanner));
        services.Replace(ServiceDescriptor.Singleton<IRecordScanner>(provider => new Scanner(
            this, (IRecordScanner)ActivatorUtilities.CreateInstance(provider, known.ImplementationType!))));
    }

    internal sealed class Held
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public void Release() => _released.SetResult();

        public Task PassAsync()
        {
            _begun.SetResult();
            return _released.Task;
        }
    }

    private sealed class Scanner(HeldScans scans, IRecordScanner scanner) : IRecordScanner
    {
        public Task<string> GetRunAsync(int partition, CancellationToken cancellationToken) =>
            scanner.GetRunAsync(partition, cancellationToken);

        public async IAsyncEnumerable<StoredRecord> ScanAsync(
            int partition, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (Interlocked.Exchange(ref scans._next, null) is { } held)
            {
                await held.PassAsync();
            }

            await foreach (var record in scanner.ScanAsync(partition, cancellationToken))
            {
                yield return record;
            }
        }
    }
}
