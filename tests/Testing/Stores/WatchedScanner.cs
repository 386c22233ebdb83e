using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;

namespace Muster.Testing.Stores;

/// <summary>Stands before the real scanner, so that something can happen while the records of a partition are read.</summary>
public sealed class WatchedScanner(IRecordScanner inner) : IRecordScanner
{
    /// <summary>Done once, before the first record is asked for.</summary>
    public Func<Task>? Before { get; set; }

    /// <summary>Done once, behind the first record.</summary>
    public Func<Task>? Between { get; set; }

    public async IAsyncEnumerable<StoredRecord> ScanAsync(int partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (before, between) = (Before, Between);
        (Before, Between) = (null, null);
        await (before?.Invoke() ?? Task.CompletedTask);
        await foreach (var record in inner.ScanAsync(partition, cancellationToken))
        {
            yield return record;
            await (between?.Invoke() ?? Task.CompletedTask);
            between = null;
        }
    }

    public Task<string> GetRunAsync(int partition, CancellationToken cancellationToken) => inner.GetRunAsync(partition, cancellationToken);

    /// <summary>Puts it before the scanner that is registered already.</summary>
    public static void Wrap(IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        var real = services.Last(service => service.ServiceType == typeof(IRecordScanner));
        services.AddSingleton(provider =>
            new WatchedScanner((IRecordScanner)ActivatorUtilities.CreateInstance(provider, real.ImplementationType!)));
        services.AddSingleton<IRecordScanner>(provider => provider.GetRequiredService<WatchedScanner>());
    }
}
