using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Grpc;

namespace Muster.InventoryLoad;

/// <summary>Opens a filled store and asks, through the lister that the API uses.</summary>
internal sealed class Measurement(string store, int devices, TextWriter output)
{
    private const int Warmups = 25;
    private const int Repetitions = 9;
    private const int PageSize = 100;
    private const int FarPage = 1_000;
    private const int Facets = 100;
    private const int VerifiedPartitions = 16;

    private static readonly TimeSpan EditTime = TimeSpan.FromSeconds(8);

    private static readonly (string Filter, string OrderBy)[] s_pages =
    [
        ("state = IN_SERVICE", "model, site"),
        ("model = P141*", "os_version desc, site"),
        ("os_version < 11.11", "certificate_not_after, model"),
        ("settings.Network.Group4.Parameter11 = yes", "site, created_at"),
        ("settings.Network.Group1.Parameter57 = 10.0.*", "site, model"),
        ("settings.Network.Group3.Parameter59 = 0000*", "model, site"),
        ("labels.label-3 = value-1 AND compliance = NON_COMPLIANT", "rules_broken desc, site"),
        ("created_at < 2026-03-01 OR installs >= 3", "created_at desc, installs"),
        ("NOT (track = active) AND (site = \"Site 01\" OR site = \"Site 02\")", "boot_id, site"),
        ("site : \"ITE 1\" AND last_outcome = FAILED", "labels.label-7, settings.Network.Group6.Parameter55"),
    ];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var host = SiloHost.Build(store);
        await host.StartAsync(cancellationToken);
        var lister = host.Services.GetRequiredService<RowLister>();
        var counted = await lister.CountAsync(Devices(""), "", cancellationToken);
        Tell("cold_start_seconds", (TimeProvider.System.GetLocalNow().DateTime - Process.GetCurrentProcess().StartTime).TotalSeconds);
        Tell("counted", counted.Total);
        Tell("resident_bytes", ResidentAfterCollection());
        if (devices > 0)
        {
            await CountAsync(lister, cancellationToken);
            await PageAsync(lister, cancellationToken);
            await FacetAsync(host, lister, cancellationToken);
            await VerifyAsync(host);
            await EditAsync(host, cancellationToken);
        }

        await host.StopAsync(cancellationToken);
    }

    private async Task CountAsync(RowLister lister, CancellationToken cancellationToken)
    {
        foreach (var (name, by) in new[] { ("total", ""), ("model_os", "model, os_version"), ("state_month", "state, created_at_month") })
        {
            var milliseconds = await MedianAsync(() => lister.CountAsync(Devices(""), by, cancellationToken));
            Tell($"count_{name}_ms", milliseconds);
        }
    }

    private async Task PageAsync(RowLister lister, CancellationToken cancellationToken)
    {
        for (var i = 0; i < s_pages.Length; i++)
        {
            var listing = Devices(s_pages[i].Filter) with { OrderBy = s_pages[i].OrderBy };
            var matching = (await lister.CountAsync(listing, "", cancellationToken)).Total;
            Tell($"page_{i}_first_ms", await MedianAsync(() => lister.ListAsync(listing, PageSize, "", cancellationToken)));
            var token = await FarTokenAsync(lister, listing, cancellationToken);
            Tell($"page_{i}_far_ms", await MedianAsync(() => lister.ListAsync(listing, PageSize, token, cancellationToken)));
            Tell($"page_{i}_matching", matching);
        }
    }

    /// <summary>The token of page 1,000, or of the last whole page when there are fewer.</summary>
    private static async Task<string> FarTokenAsync(RowLister lister, Listing listing, CancellationToken cancellationToken)
    {
        var token = "";
        for (var rows = 0; rows < (FarPage - 1) * PageSize; rows += 10 * PageSize)
        {
            var page = await lister.ListAsync(listing, 10 * PageSize, token, cancellationToken);
            if (page.NextPageToken.Length == 0)
            {
                break;
            }

            token = page.NextPageToken;
        }

        return token;
    }

    /// <summary>After every single write the count has it.</summary>
    private async Task FacetAsync(IHost host, RowLister lister, CancellationToken cancellationToken)
    {
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var (wrong, elapsed) = (0, new List<double>());
        for (var i = 0; i < Facets; i++)
        {
            await DeviceEdits.EditAsync(grains, i, new DeviceEdit(null, [new DeviceLabel("facet", "set")], []));
            var started = Stopwatch.GetTimestamp();
            var counts = await lister.CountAsync(Devices("labels:facet"), "labels.facet", cancellationToken);
            elapsed.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            wrong += counts.Total == await ExpectedAsync(grains, i) ? 0 : 1;
        }

        Tell("facet_wrong", wrong);
        Tell("facet_ms", elapsed.Order().ElementAt(elapsed.Count / 2));
    }

    /// <summary>How long a partition's check takes, and how long questions wait that it is asked meanwhile, one after the other.</summary>
    private async Task VerifyAsync(IHost host)
    {
        var (checks, questions) = (new List<double>(), new List<double>());
        for (var partition = 0; partition < VerifiedPartitions; partition++)
        {
            var inventory = host.Services.GetRequiredService<IGrainFactory>().GetInventory(partition);
            var begun = Stopwatch.GetTimestamp();
            var check = inventory.VerifyAsync();
            while (!check.IsCompleted)
            {
                var asked = Stopwatch.GetTimestamp();
                await inventory.CountAsync(Devices("").Rows(PagePlace.Start, 1), "");
                questions.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }

            checks.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            if ((await check).Differences > 0)
            {
                throw new InvalidDataException($"Partition {partition} is not what its records say.");
            }
        }

        Tell("verify_partition_ms", checks.Order().ElementAt(checks.Count / 2));
        Tell("verify_question_ms_max", questions.Max());
    }

    /// <summary>Tombstones refuse the edit.</summary>
    private static async Task<int> ExpectedAsync(IGrainFactory grains, int last)
    {
        var edited = 0;
        for (var i = 0; i <= last; i++)
        {
            edited += (await DeviceEdits.DeviceAt(grains, i).GetAsync()).Device!.Labels.Any(label => label.Name == "facet") ? 1 : 0;
        }

        return edited;
    }

    /// <summary>Commits of devices in a partition's inventory of this size, the tail reading along.</summary>
    private async Task EditAsync(IHost host, CancellationToken cancellationToken)
    {
        var edits = new DeviceEdits(host.Services.GetRequiredService<IGrainFactory>(), devices);
        await edits.ActivateAsync(cancellationToken);
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var rate = await edits.RunAsync(EditTime, cancellationToken);
        Tell("commits_per_second", rate);
        Tell("commit_cpu_us", (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / (rate * EditTime.TotalSeconds));
    }

    private static Listing Devices(string filter) => new(TenantId.Default, GrainTypes.Device, filter);

    private static async Task<double> MedianAsync(Func<Task> ask)
    {
        for (var i = 0; i < Warmups; i++)
        {
            await ask();
        }

        var elapsed = new List<double>();
        for (var i = 0; i < Repetitions; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await ask();
            elapsed.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return elapsed.Order().ElementAt(Repetitions / 2);
    }

    public static long ResidentAfterCollection()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }

    private void Tell(string name, double value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.###}"));
}
