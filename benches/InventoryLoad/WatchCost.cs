using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Muster.Contracts;
using Muster.Domain;
using Muster.Gateway.Grpc;

namespace Muster.InventoryLoad;

/// <summary>Commits a second with and without a thousand watches whose filters do not match; rounds visit all in turn.</summary>
internal sealed class WatchCost(string store, int devices, TextWriter output)
{
    private const int Watchers = 1_000;
    private const int Rounds = 5;

    private static readonly TimeSpan Visit = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <summary>Filters that ask for one value: found by it.</summary>
    private static readonly string[] s_values =
    [
        "site = \"Nowhere {0}\"",
        "model = X{0} AND state = IN_SERVICE",
        "labels.label-1 = none-{0}",
        "settings.Network.Group1.Parameter57 = none-{0}",
    ];

    /// <summary>Filters that have to be evaluated: parts of texts, ranges, alternatives, negations.</summary>
    private static readonly string[] s_ranges =
    [
        "site : \"nowhere {0}\"",
        "os_version > 9{0}.1",
        "model = X{0}*",
        "site = \"Nowhere {0}\" OR site = \"Elsewhere {0}\"",
        "NOT (installs < 1{0} OR state = EXPECTED)",
        "settings.Network.Group1.Parameter57 = none-{0}* AND created_at > 2026-01-01",
    ];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var host = SiloHost.Build(store);
        await host.StartAsync(cancellationToken);
        var edits = new DeviceEdits(host.Services.GetRequiredService<IGrainFactory>(), devices);
        await edits.ActivateAsync(cancellationToken);
        await edits.RunAsync(WarmUp, cancellationToken);
        for (var round = 0; round < Rounds; round++)
        {
            Tell($"none_{round}", await edits.RunAsync(Visit, cancellationToken));
            Tell($"values_{round}", await WatchedAsync(host, edits, s_values, cancellationToken));
            Tell($"ranges_{round}", await WatchedAsync(host, edits, s_ranges, cancellationToken));
        }

        await host.StopAsync(cancellationToken);
    }

    private static async Task<double> WatchedAsync(IHost host, DeviceEdits edits, string[] filters, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = host.Services.GetRequiredService<RowWatch>();
        var begun = Enumerable.Range(0, Watchers).Select(_ => new TaskCompletionSource()).ToArray();
        var running = begun.Select((started, i) => FollowAsync(watch, FilterAt(filters, i), started, enough.Token)).ToArray();
        await Task.WhenAll(begun.Select(started => started.Task));
        var rate = await edits.RunAsync(Visit, cancellationToken);
        await enough.CancelAsync();
        await Task.WhenAll(running);
        return rate;
    }

    private static string FilterAt(string[] filters, int watcher) =>
        string.Format(CultureInfo.InvariantCulture, filters[watcher % filters.Length], watcher);

    /// <summary>A watch that is told of a device would measure something else.</summary>
    private static async Task FollowAsync(RowWatch watch, string filter, TaskCompletionSource started, CancellationToken cancellationToken)
    {
        try
        {
            var listing = new Listing(TenantId.Default, GrainTypes.Device, filter);
            await foreach (var news in watch.RunAsync(listing, null, cancellationToken))
            {
                if (news.Row is { } row)
                {
                    throw new InvalidOperationException($"'{filter}' matches {row.Row.Name}.");
                }

                started.TrySetResult();
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
        catch (Exception exception)
        {
            started.TrySetException(exception);
            throw;
        }
    }

    private void Tell(string name, double value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.###}"));
}
