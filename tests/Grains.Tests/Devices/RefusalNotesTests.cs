using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Muster.Grains.Devices;

namespace Muster.Grains.Tests.Devices;

public sealed class RefusalNotesTests
{
    [Fact]
    public void TryBegin_OfTheSameNote_IsOneNoteUntilItHasEnded()
    {
        using var fixture = new Fixture();

        Assert.True(fixture.Notes.TryBegin(Of(1), "NOT_FACTORY_DEFAULT"));
        Assert.False(fixture.Notes.TryBegin(Of(1), "NOT_FACTORY_DEFAULT"));
        Assert.True(fixture.Notes.TryBegin(Of(1), "SECURE_BOOT_MISSING"));
        Assert.True(fixture.Notes.TryBegin(Of(2), "NOT_FACTORY_DEFAULT"));
        fixture.Notes.End(Of(1), "NOT_FACTORY_DEFAULT");
        Assert.True(fixture.Notes.TryBegin(Of(1), "NOT_FACTORY_DEFAULT"));

        Assert.Equal((0L, 0), (fixture.Unnoted, fixture.Warnings));
    }

    [Fact]
    public void TryBegin_OfMoreThanTheBound_CountsEachAndSaysItOnceUntilAllHaveEnded()
    {
        using var fixture = new Fixture();
        for (var time = 1; time <= 2; time++)
        {
            for (var device = 0; device < RefusalNotes.UnderWayMax; device++)
            {
                Assert.True(fixture.Notes.TryBegin(Of(device), "R"));
            }

            Assert.False(fixture.Notes.TryBegin(Of(1_000), "R"));
            Assert.False(fixture.Notes.TryBegin(Of(1_001), "R"));
            Assert.Equal((2L * time, time), (fixture.Unnoted, fixture.Warnings));
            fixture.Notes.End(Of(0), "R");
            Assert.True(fixture.Notes.TryBegin(Of(1_000), "R"));
            fixture.Notes.End(Of(1_000), "R");
            for (var device = 1; device < RefusalNotes.UnderWayMax; device++)
            {
                fixture.Notes.End(Of(device), "R");
            }
        }
    }

    private static GrainId Of(int device) => GrainId.Create("device", $"default/{device}");

    private sealed class Fixture : ILogger<RefusalNotes>, IDisposable
    {
        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly MeterListener _listener = new();

        public Fixture()
        {
            var meters = _services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                // Silos of this process have meters of the same name.
                if (instrument.Name == "muster_device_refusals_unnoted_total" && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
                Unnoted += tags.ToArray().Contains(new KeyValuePair<string, object?>("cause", "full")) ? value : 0);
            _listener.Start();
            Notes = new RefusalNotes(new DeviceInstruments(meters), this);
        }

        public RefusalNotes Notes { get; }

        public long Unnoted { get; private set; }

        public int Warnings { get; private set; }

        public void Dispose()
        {
            _listener.Dispose();
            _services.Dispose();
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Warnings += logLevel == LogLevel.Warning ? 1 : 0;
    }
}
